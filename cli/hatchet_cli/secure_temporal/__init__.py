"""A Temporal for development that lets in nobody without a certificate.

The development server has no TLS of its own, so a `TlsTerminator` stands before it.
"""
