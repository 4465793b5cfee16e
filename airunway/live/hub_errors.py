"""What a model hub refuses, in words: with the name of what was asked for, and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from airunway.text.bounded_streams import UnendingError
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import one_line

_NO_HUB = "what HF_ENDPOINT names does not answer as a hub does"


@contextmanager
def hub_errors(asked: str, revision: str = "") -> Iterator[None]:
    """Raise ``InputError`` for an error of the client (huggingface_hub 2.4); ``asked`` is what the hub is asked for."""
    try:
        yield
    except GatedRepoError as error:
        raise _problem(asked, "is gated; accept its terms on the hub, and set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise _problem(asked, f"has no revision {revision} on the hub") from error
    except RepositoryNotFoundError as error:
        raise _problem(asked, "is not on the hub, or HF_TOKEN may not see it") from error
    except HfHubHTTPError as error:
        raise _problem(asked, f"the hub refused: {one_line(str(error.server_message or error))}") from error
    except OfflineModeIsEnabled as error:
        raise _problem(asked, "the hub is not asked, as HF_HUB_OFFLINE is set; unset it to ask") from error
    except UnendingError as error:
        raise _problem(asked, f"{_NO_HUB}: {error}") from error
    except httpx2.HTTPError as error:
        raise _problem(asked, f"the hub can't be reached: {one_line(str(error)) or type(error).__name__}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _problem(asked, _NO_HUB) from error


def _problem(asked: str, message: str) -> InputError:
    return InputError([Problem(asked, message)])
