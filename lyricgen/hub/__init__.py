"""Download from and publication on the Hugging Face Hub."""
