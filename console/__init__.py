"""What finance opens. No models: selectors and services of the apps below, laid out for people."""
