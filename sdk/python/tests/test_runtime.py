from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from typing import Any, Optional
from unittest import mock

from fake import Failure, Fake

SDK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src")
HEAD = "import dagger\nfrom dagger import dag, field, function, object_type\n\n"

APP = """
from typing import Annotated, Optional
import enum

@dagger.enum_type
class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"

@object_type
class Report:
    level: Level = field(default=Level.LOW)
    file: Optional[dagger.File] = field(default=None)

@dagger.interface
class Duck:
    @function
    async def quack(self) -> str: ...

@object_type
class App:
    image: str = field(default="alpine")
    source: Optional[dagger.Directory] = None
    _seen: list[str] = dagger.field(default=list, init=False)

    @function
    async def build(self, source: dagger.Directory) -> dagger.Container:
        return dag.container().from_(self.image).with_directory("/app", source)

    @function
    async def test(self, source: dagger.Directory) -> str:
        print("testing")
        return await dag.container().with_directory("/app", source).stdout()

    @function
    def add(self, from_: int, ratio: float = 0.5) -> float:
        return from_ + ratio

    @function
    def lazy(self) -> str:
        return dag.container().stdout()

    @function
    def report(self, level: Level, file: Optional[dagger.File]) -> list[Report]:
        return [Report(level=level, file=file)]

    @function
    def worse(self, report: Report, levels: list[Level]) -> list[Level]:
        assert report.level is Level.LOW and isinstance(report.file, dagger.File)
        return [level for level in levels if level is Level.HIGH]

    @function
    def see(self, name: str) -> "App":
        self._seen.append(name)
        return self

    @function
    def fail(self) -> str:
        return self.deeper()

    def deeper(self) -> str:
        raise ValueError("not today")

    @function
    async def exec(self) -> str:
        return await dag.container().stderr()

    @function(name="other-name")
    async def renamed(self, x: Annotated[str, dagger.Name("from")]) -> str:
        return x

    @function
    def talk(self, duck: Duck) -> str:
        return type(duck)._api_name
"""


class Functions(unittest.TestCase):
    files: dict[str, str] = {}

    def run_call(
        self,
        source: str,
        parent: str,
        name: str,
        args: Optional[dict[str, Any]] = None,
        state: Any = None,
        values: Optional[dict[str, Any]] = None,
    ) -> tuple[Fake, subprocess.CompletedProcess]:
        inputs = [{"name": k, "value": json.dumps(v)} for k, v in (args or {}).items()]
        call = {"parentName": parent, "name": name, "parent": json.dumps(state)}
        fake = Fake({**call, "inputArgs": inputs})
        self.addCleanup(fake.close)
        fake.values.update(values or {})
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "main.py"), "w", encoding="utf-8") as file:
                file.write(HEAD + textwrap.dedent(source))
            for path, text in self.files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            result = subprocess.run(
                [sys.executable, "-B", "-m", "dagger._runtime"],
                env={
                    **os.environ,
                    **fake.environ(),
                    "PYTHONPATH": SDK,
                    "NSCI_MODULE_ROOT": root,
                    "DAGGER_MAIN_OBJECT": "App",
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        return fake, result

    def returned(self, source: str, *args: Any, **kwargs: Any) -> Any:
        fake, result = self.run_call(source, *args, **kwargs)
        self.assertEqual(result.returncode, 0, result.stderr + str(fake.error))
        self.assertEqual(result.stderr, "")
        return fake.returned

    def test_values_of_every_kind_come_and_go(self) -> None:
        state = {"image": "a", "source": None}
        for name, args, expected in (
            ("add", {"from": 1}, 1.5),
            ("add", {"from": 1, "ratio": 2}, 3.0),
            ("lazy", {}, "container.stdout"),
            ("report", {"level": "HIGH"}, [{"level": "HIGH", "file": None}]),
            ("report", {"level": "LOW", "file": "f1"}, [{"level": "LOW", "file": "f1"}]),
            (
                "worse",
                {"report": {"level": "LOW", "file": "f"}, "levels": ["LOW", "HIGH"]},
                ["HIGH"],
            ),
            ("other-name", {"from": "x"}, "x"),
            ("talk", {"duck": "d1"}, "AppDuck"),
        ):
            with self.subTest(name, args=args):
                self.assertEqual(self.returned(APP, "App", name, args, state), expected)

    def test_object_is_returned_by_id_with_two_requests_more(self) -> None:
        fake, _ = self.run_call(APP, "App", "build", {"source": "d1"}, {"image": "img"})
        self.assertEqual(
            fake.returned, 'container.from(address="img").withDirectory(path="/app",source="d1")'
        )
        self.assertEqual(len(fake.queries), 3)

    def test_prints_are_the_programs_output(self) -> None:
        fake, result = self.run_call(APP, "App", "test", {"source": "d1"}, {})
        self.assertEqual(result.stdout, "testing\n")
        self.assertEqual(fake.returned.rsplit(".", 1)[1], "stdout")

    def test_constructor_gives_state_with_private_fields(self) -> None:
        self.assertEqual(
            self.returned(APP, "App", "", {"image": "b", "source": "d1"}),
            {"image": "b", "source": "d1", "_seen": []},
        )

    def test_state_survives_a_call(self) -> None:
        state = {"image": "b", "source": "d1", "_seen": ["a"]}
        seen = self.returned(APP, "App", "see", {"name": "b"}, state)
        self.assertEqual(seen, {**state, "_seen": ["a", "b"]})

    def test_failure_is_reported_with_the_users_frames_only(self) -> None:
        fake, result = self.run_call(APP, "App", "fail", {}, {})
        self.assertEqual(result.returncode, 2)
        self.assertEqual(fake.error, {"message": "ValueError: not today", "values": {}})
        self.assertIn("in deeper", result.stderr)
        self.assertNotIn("_runtime", result.stderr)
        self.assertNotIn("During handling", result.stderr)

    def test_failed_command_keeps_its_values(self) -> None:
        extensions = {
            "_type": "EXEC_ERROR",
            "cmd": ["x"],
            "exitCode": 3,
            "stdout": "",
            "stderr": "e",
        }
        failure = Failure("exit code: 3", **extensions)
        fake, result = self.run_call(
            APP, "App", "exec", {}, {}, values={"container.stderr": failure}
        )
        self.assertEqual(result.returncode, 2)
        self.assertEqual(fake.error, {"message": "exit code: 3", "values": extensions})

    def test_broken_program_is_reported(self) -> None:
        fake, result = self.run_call("x = (", "App", "fail")
        self.assertEqual(result.returncode, 2)
        self.assertIn("main.py:4: ", fake.error["message"])
        fake, _ = self.run_call("import nothing_like_it", "App", "fail")
        self.assertEqual(
            fake.error["message"], "ModuleNotFoundError: No module named 'nothing_like_it'"
        )
        fake, _ = self.run_call(APP, "App", "nope", {}, {})
        self.assertEqual(fake.error["message"], "`App` has no function `nope`")

    def test_event_loop_is_there_for_who_wants_it(self) -> None:
        source = """
        import asyncio
        @function
        async def both() -> list[str]:
            return list(await asyncio.gather(dag.version(), dag.default_platform()))
        """
        self.assertEqual(self.returned(source, "App", "both"), ["version", "defaultPlatform"])

    @unittest.skipIf(sys.version_info < (3, 10), "needs sys.stdlib_module_names")
    def test_function_that_needs_no_loop_gets_none(self) -> None:
        source = """
        import sys
        @function
        async def loop() -> list[str]:
            await dag.version()
            heavy = ("async" + "io", "dataclasses", "inspect", "http", "ssl", "socket", "traceback", "json")
            return [name for name in heavy if name in sys.modules]
        """
        self.assertEqual(self.returned(source, "App", "loop"), [])

    def test_functions_outside_of_a_class_are_called(self) -> None:
        source = """
        @function
        def plain(n: int = 2) -> int:
            return n
        @function
        async def method(self, n: int) -> int:
            return n
        """
        self.assertEqual(self.returned(source, "App", "plain", {}, {}), 2)
        self.assertEqual(self.returned(source, "App", "method", {"n": 5}, {}), 5)
        self.assertEqual(self.returned(source, "App", ""), {})

    def test_files_named_like_pythons_own_do_no_harm(self) -> None:
        self.files = {"typing.py": "1/0", "dagger/__init__.py": "1/0", "helper.py": "X = 7"}
        source = """
        import helper
        @function
        def f() -> int:
            return helper.X
        """
        self.assertEqual(self.returned(source, "App", "f"), 7)

    def test_types_of_other_modules_come_and_go(self) -> None:
        source = """
        @function
        def lint(level: dagger.LintLevel, report: dagger.LintReport) -> list[str]:
            assert level == dagger.LintLevel.HIGH
            return [level, dag.lint(level=level).report(), type(report)._api_name]
        @function
        def back(report: dagger.LintReport) -> dagger.LintReport:
            return report
        """
        text = {"kind": "NON_NULL", "ofType": {"kind": "SCALAR", "name": "String"}}
        level = {"name": "level", "type": {"kind": "ENUM", "name": "LintLevel"}}
        linter = {"kind": "OBJECT", "name": "Lint"}
        types = {
            "LintLevel": {"kind": "ENUM", "enumValues": [{"name": "HIGH"}]},
            "LintReport": {"kind": "OBJECT", "fields": []},
            "Lint": {"kind": "OBJECT", "fields": [{"name": "report", "args": [], "type": text}]},
            "Query": {
                "kind": "OBJECT",
                "fields": [{"name": "lint", "args": [level], "type": linter}],
            },
        }
        original = Fake.answer

        def answer(fake: Fake, query: str) -> Any:
            name = query.split('"')[1] if query.startswith("{__type") else None
            return {"__type": types[name]} if name else original(fake, query)

        with mock.patch.object(Fake, "answer", answer):
            args = {"level": "HIGH", "report": "r1"}
            self.assertEqual(
                self.returned(source, "App", "lint", args),
                ["HIGH", 'lint(level="HIGH").report', "LintReport"],
            )
            self.assertEqual(self.returned(source, "App", "back", {"report": "r1"}), "r1")

    def test_alternative_constructors(self) -> None:
        source = """
        @object_type
        class App:
            name: str = field()
            @classmethod
            async def create(cls, n: int) -> "App":
                return cls(name=await dag.version() * n)
            @function
            def shout(self) -> str:
                return self.name.upper()
        """
        self.assertEqual(self.returned(source, "App", "", {"n": 2}), {"name": "versionversion"})
        self.assertEqual(self.returned(source, "App", "shout", {}, {"name": "a"}), "A")
        source = """
        @object_type
        class App:
            def __init__(self, n: int = 3):
                self.n = n
            @function
            def double(self) -> int:
                return self.n * 2
        """
        self.assertEqual(self.returned(source, "App", ""), {"n": 3})
        self.assertEqual(self.returned(source, "App", "double", {}, {"n": 4}), 8)

    def test_dataclasses_work_as_such(self) -> None:
        source = """
        import dataclasses
        @object_type
        class App:
            a: int = field(default=1)
            b: list[str] = dataclasses.field(default_factory=list)
            def __post_init__(self):
                self.extra = self.a
            @function
            def more(self) -> "App":
                return dataclasses.replace(self, a=self.a + self.extra)
        """
        self.assertEqual(self.returned(source, "App", "more", {}, {"a": 2}), {"a": 4, "b": []})

    def test_registration_builds_the_module(self) -> None:
        fake, result = self.run_call(APP, "", "")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(fake.returned.startswith("module.withObject("))
        everything = "\n".join(fake.queries)
        for part in (
            'withObject(name:"App")',
            'withField(name:"image"',
            'function(name:"build"',
            'withArg(name:"from"',
            'defaultValue:"0.5"',
            'withEnumMember(name:"LOW",value:"low")',
            'withInterface(name:"Duck")',
            "withConstructor(function:",
        ):
            self.assertIn(part, everything)


if __name__ == "__main__":
    unittest.main()
