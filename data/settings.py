"""Settings, read from the environment by whoever starts the program; never at import."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_KEY = 16
"""Characters of a key that is set."""
SECRET = frozenset({"evidence_key"})
"""Settings that are never shown."""


class Settings(BaseSettings):
    """Every setting of the program; each is read from ``GRIDGOV_<NAME>``, where an empty one counts as not set."""

    model_config = SettingsConfigDict(env_prefix="GRIDGOV_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = Field(
        default=None, description="Any PostgreSQL with PostGIS; without it a private cluster is kept."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("gridgov"),
        description="Folder of the private cluster and files.",
    )
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the server listens on.")
    district: str | None = Field(
        default=None, pattern=r"^\d{6}$", description="District meant when a request names none (6 digits)."
    )
    target: int = Field(default=300, ge=1, description="Households a grid should have.")
    tolerance_percent: int = Field(default=10, ge=1, le=50, description="Band around the target, percent.")
    entrance_band: int = Field(
        default=330, ge=1, description="A building with more households is split by entrance."
    )
    derived_radius_m: float = Field(
        default=100.0, gt=0, description="How far a derived community reaches around its buildings, metres."
    )
    outside_margin_m: float = Field(
        default=2000.0, ge=0, description="Beyond this distance a point is only 'outside', metres."
    )
    near_border_m: float = Field(
        default=15.0, ge=0, description="An exact point nearer to a border than this is ambiguous, metres."
    )
    max_body_bytes: int = Field(default=1_000_000, ge=1000, description="Largest request body, bytes.")
    max_upload_bytes: int = Field(
        default=200_000_000, ge=1000, description="Largest upload of files to import, bytes."
    )
    batch_rows: int = Field(
        default=1_000_000, ge=1, description="Most rows of a batch of somebody who is signed in."
    )
    batch_rows_public: int = Field(
        default=10_000, ge=0, description="Most rows of a batch of anybody; 0 for none."
    )
    batch_line_bytes: int = Field(
        default=10_000, ge=100, le=100_000, description="Longest row of a batch, bytes."
    )
    batch_seconds: float = Field(default=600.0, gt=0, description="How long a batch may take, seconds.")
    batch_dir: Path | None = Field(
        default=None, description="Folder with a folder a district, in which jobs find files to locate."
    )
    evidence_key: SecretStr | None = Field(
        default=None,
        description="Keys of evidence slips, with commas between: the first signs, all are good. Else one is kept.",
    )
    pool_size: int = Field(default=10, ge=1, description="Database connections a process may hold.")
    layer_connections: int = Field(
        default=4, ge=1, le=100, description="Database connections a process may hold for map layers."
    )
    layer_seconds: float = Field(
        default=20.0, gt=0, le=600, description="How long a question about map layers may take, seconds."
    )
    layer_cache_bytes: int = Field(
        default=64_000_000, ge=0, description="Memory a process keeps answers about map layers in, bytes."
    )
    downloads: int = Field(
        default=4, ge=0, le=100, description="How many layers a process sends as files at once; 0 for none."
    )
    download_bytes: int = Field(
        default=200_000_000, ge=1000, description="Largest file a layer is sent as, bytes."
    )
    download_seconds: float = Field(
        default=600.0, gt=0, description="How long sending a layer as a file may take, seconds."
    )
    session_hours: int = Field(default=12, ge=1, le=720, description="How long a sign-in lasts, hours.")
    scheduler: str | None = Field(
        default=None, description="Dask scheduler whose workers balance; in the asking process without it."
    )
    base_tiles: str | None = Field(
        default=None, description="Optional base map: address of its tiles, or path of an MBTiles file."
    )
    base_crs: Literal["wgs84", "cgcs2000", "gcj02"] = Field(
        default="wgs84", description="What the tiles of the optional base map are true in."
    )
    base_attribution: str | None = Field(
        default=None, description="Whom maps must name for the optional base map."
    )
    base_max_zoom: int = Field(
        default=18, ge=0, le=30, description="Last level the optional base map has tiles of, by address."
    )
    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Address people reach the server at; QR codes lead there.",
    )
    worker: Literal["child", "none"] = Field(
        default="child", description="Whether the server starts a worker for jobs, as a process of its own."
    )

    @field_validator("evidence_key")
    @classmethod
    def _long_enough(cls, said: SecretStr | None) -> SecretStr | None:
        if any(len(key) < SHORTEST_KEY for key in _parted(said)):
            raise ValueError(
                f"each key needs {SHORTEST_KEY} characters or more; make one with openssl rand -hex 32"
            )
        return said

    @property
    def evidence_keys(self) -> list[str]:
        """Keys of evidence slips that are set; the first signs."""
        return _parted(self.evidence_key)

    @property
    def files(self) -> Path:
        """Folder of the files that jobs make."""
        return self.data_dir / "files"


def _parted(said: SecretStr | None) -> list[str]:
    keys = said.get_secret_value().split(",") if said else []
    return [key.strip() for key in keys if key.strip()]
