"""A package, so that a script among them finds it before a package of this name that somebody else installs."""
