"""What breaks in the field, broken on purpose: power, network, disks, copies of disks."""
