"""One adapter a framework: the only modules that import jax or torch, and the only ones that touch their privates."""
