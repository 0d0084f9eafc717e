"""A site of content: an empty database of its own, and an address."""

from __future__ import annotations

from pathlib import Path

import pytest
from content_models import MODELS

from segue import App


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app with that database."""
    return App(
        "tests_content",
        database=f"sqlite:///{tmp_path}/content.db",
        config={"SITE_URL": "https://club.example", "ALLOWED_HOSTS": ["localhost"]},
        models=MODELS,
        static_folder=None,
        template_folder=str(tmp_path / "templates"),
    )
