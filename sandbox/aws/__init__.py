"""AWS on one machine: the emulator's launcher and the provider that stands in for pulumi-aws."""
