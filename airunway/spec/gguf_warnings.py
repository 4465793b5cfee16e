"""What a model's id says of its files: whether an engine can load it, as far as that can be told without looking."""

from airunway.spec.model import Engine, ModelDeploymentSpec, Source


def gguf_warnings(spec: ModelDeploymentSpec, engine: Engine) -> list[str]:
    """Warnings about a repository whose files ``engine`` can't load, or of which llama.cpp fetches more than one."""
    if (
        spec.model.source is not Source.HUGGINGFACE
        or spec.container_image
        or (spec.model.gguf and spec.model.gguf.file)
    ):
        return []
    model_id = spec.model.id
    if engine is not Engine.LLAMACPP:
        if not spec.model.is_gguf_repository:
            return []
        hint = f"{engine} can't load it by its id alone; set engine.type: {Engine.LLAMACPP}, or model.gguf.file"
        return [f"model.id: {model_id} looks like a GGUF repository, and {hint}"]
    if spec.model.is_gguf_repository:
        fetched = f"every *.gguf file of {model_id} is downloaded at each start, and one of them is served"
        return [f"model.gguf.file: not set, so {fetched}; name the file of the quantisation that you want"]
    hint = "set resources.gpu.count to serve it with vLLM, or name a GGUF repository or model.gguf.file"
    return [f"model.id: llama.cpp runs only *.gguf files, and nothing says that {model_id} has any; {hint}"]
