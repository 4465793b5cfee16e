"""Reports: previews, differences, status, manifests and RBAC, as text, JSON, Markdown, Mermaid or HTML."""
