"""An audit in the forms that people and their tools read: a module for each, none of which knows another."""
