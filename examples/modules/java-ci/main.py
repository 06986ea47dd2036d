"""The pipeline of a program in Java: functions of a module that is written in Go, called from Python."""

import dagger
from dagger.mod import function


@function
def build(source: dagger.Directory) -> dagger.Container:
    """Build with Gradle."""
    return dagger.gradle().with_source(source).build()


@function
def empty() -> dagger.Container:
    """Build nothing, which Gradle does not like."""
    return dagger.gradle().build()
