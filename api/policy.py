"""What a page of ours may load, and from where: its content security policy."""

from __future__ import annotations


def policy(*hosts: str) -> str:
    """Return the policy of a page: everything from this server, pictures from other hosts only where named.

    Parameters
    ----------
    hosts : str
        Scheme, host and port of what else pictures may come from.
    """
    images = " ".join(["'self'", "data:", *hosts])
    return (
        f"default-src 'self'; img-src {images}; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
