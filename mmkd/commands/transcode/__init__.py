"""Videos written anew, small and with many key frames, so that they decode fast."""
