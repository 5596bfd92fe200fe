"""From a model that continues a text to one that answers as people want: `sft`, fine-tuning on examples."""
