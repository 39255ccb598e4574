"""Every act that changes stored state; one use case is one transaction."""
