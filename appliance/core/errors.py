"""The one tree of errors.

    ApplianceError                 a person can act on it: the sentence says what to do
    ├── ConfigError                the configuration cannot be used
    ├── SealError                  the seal does not cover this configuration
    ├── ConversionError            a number does not fit the instrument's grid or range
    ├── IndicatorError             an indicator was asked for what it cannot compute
    ├── StoreFailure               the disk did not keep what it was given: stop trading
    │   ├── DiskFull               no room left, the reserve may still serve
    │   └── JournalDamaged         stored rows are not what was written
    ├── AlreadyRunning             another process holds the lock
    ├── WireError                  bytes that do not form a message of ours
    └── HardwareError              a pin or its library is not what was asked for
    InvariantBroken                a bug: the process must stop at once (never caught to carry on)

Expected outcomes (denied, rejected, stale) are return values, not errors.
"""


class ApplianceError(Exception):
    """Tell a person what went wrong and what to do about it."""


class ConfigError(ApplianceError):
    """Report a configuration that cannot be used."""


class SealError(ApplianceError):
    """Report a seal that does not cover this configuration."""


class ConversionError(ApplianceError):
    """Report a number that does not fit the instrument's grid or range."""


class IndicatorError(ApplianceError):
    """Report an indicator that was asked for what it cannot compute."""


class StoreFailure(ApplianceError):
    """Report a disk that did not keep what it was given."""


class DiskFull(StoreFailure):
    """Report that there is no room left but the reserve."""


class JournalDamaged(StoreFailure):
    """Report stored rows that are not what was written."""


class AlreadyRunning(ApplianceError):
    """Report that another process holds the lock."""


class WireError(ApplianceError):
    """Report bytes that do not form a message of ours."""


class HardwareError(ApplianceError):
    """Report a pin or pin library that is not what was asked for."""


class InvariantBroken(BaseException):
    """Stop the process: something that cannot be true was seen.

    Derives from BaseException so that no `except Exception` can carry on past it.
    """
