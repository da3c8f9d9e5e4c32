"""Transcode videos: small, with many key frames, so that they decode fast."""
