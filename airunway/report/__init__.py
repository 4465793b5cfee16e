"""What is printed: previews, differences, status, manifests and rights, as text, JSON, Markdown, Mermaid or HTML."""
