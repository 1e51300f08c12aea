"""Imported by every Python that starts with this folder in ``PYTHONPATH``: see the package's own file.

Any Python can get here, in any version: what follows has to be understood by all of them, must not fail, and leaves
the program's own ``sitecustomize`` and ``sys.path`` as they would have been.
"""

import os
import sys


def _start():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != here]
    if sys.version_info < (3, 11) or not (os.environ.get("JITSCOPE_PROGRAM") or os.environ.get("JITSCOPE") == "1"):
        return
    try:
        import jitscope

        if os.path.dirname(os.path.abspath(jitscope.__file__)) == os.path.dirname(here):
            from jitscope._startup import follow

            follow()
        else:  # another one, which may do things differently
            del sys.modules["jitscope"]
    except ImportError:  # this Python has no jitscope
        pass
    except Exception:
        if os.environ.get("JITSCOPE_STRICT") == "1":
            raise


_start()

# What Python would have imported without us. An error in there is the program's, and Python says so.
_ours = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ImportError as error:
    if getattr(error, "name", "sitecustomize") != "sitecustomize":
        raise
finally:
    # Python looks for the module that it has just imported.
    if _ours is not None:
        sys.modules.setdefault("sitecustomize", _ours)
