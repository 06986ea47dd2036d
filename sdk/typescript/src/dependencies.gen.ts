/** Types of the modules that this one uses. Written anew for each module; here there are none. */

export {}
