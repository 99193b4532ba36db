"""What every log must do, whichever adapter holds it: one suite, run on each."""
