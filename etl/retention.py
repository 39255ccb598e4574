"""Delete what is kept no longer: answers to repeated requests, contacts, sign-ins, aliases, old files, uploads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from data import jobs, retention, uploads
from data.session import Store
from etl.acting import acting
from etl.actor import Actor


@dataclass(frozen=True)
class Forgotten:
    """How much was deleted of each kind."""

    answered_requests: int
    case_contacts: int
    sign_ins: int
    aliases: int
    files: int
    uploads: int


def forget(store: Store, actor: Actor, district: str, files: Path) -> Forgotten:
    """Delete what a district keeps no longer.

    Parameters
    ----------
    files : Path
        Folder of the files that jobs made, and of those uploaded for jobs.

    Raises
    ------
    OSError
        If a file cannot be deleted; nothing else is then.
    """
    with acting(store, actor, district) as act:
        old = retention.old_files(act.connection, district)
        for _, name in old:  # files go first: cut off here, the next run finds their rows still
            (files / name).unlink(missing_ok=True)
        retention.drop_files(act.connection, district, [number for number, _ in old])
        wanted = {job.params.get("upload", "") for job in jobs.unfinished(act.connection, district)}
        left = uploads.left_over(files, district, wanted)
        for upload in left:
            uploads.remove(upload)
        gone = retention.forget(act.connection, district)
        done = Forgotten(**gone, files=len(old), uploads=len(left))
        act.record("retention.run", f"district {district}", after=asdict(done))
    return done
