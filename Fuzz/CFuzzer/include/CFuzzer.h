// Nothing: the main of wsm-fuzz is called by its name.
