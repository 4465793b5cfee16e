"""The domain: specs, provider configs, selection and rendering. Pure Python, no Pulumi import."""
