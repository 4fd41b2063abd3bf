"""What page, HTTP and shell call: plain typed functions of `Resources`, free of gradio."""
