"""One exchange with a deployment through its OpenAI-compatible API."""

import os
from collections.abc import AsyncIterator

from openai import APIConnectionError, APIError, AsyncOpenAI

from providers.problems import InputError, Problem


async def chat(url: str, text: str, model: str | None = None) -> AsyncIterator[str]:
    """The answer to ``text``, piece by piece; without ``model`` from the first model that ``url`` serves. Raises ``InputError``."""
    client = AsyncOpenAI(base_url=url, api_key=os.environ.get("OPENAI_API_KEY") or "none", max_retries=2, timeout=120)
    try:
        async with client:
            name = model or await _first_model(client, url)
            stream = await client.chat.completions.create(model=name, messages=[{"role": "user", "content": text}], stream=True)
            async for chunk in stream:
                for choice in chunk.choices:
                    yield choice.delta.content or ""
    except APIConnectionError as error:
        raise InputError([Problem(url, f"can't be reached: {error.__cause__ or error}")]) from error
    except APIError as error:
        raise InputError([Problem(url, f"refused: {error.message}")]) from error


async def _first_model(client: AsyncOpenAI, url: str) -> str:
    models = [model.id async for model in client.models.list()]
    if not models:
        raise InputError([Problem(url, "serves no model (yet); give --model to name one")])
    return models[0]
