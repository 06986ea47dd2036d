from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import textwrap
import unittest
from unittest import mock

from fake import Failure, Fake

import dagger
from dagger import dag
from dagger.client.base import literal


class WithSession(unittest.TestCase):
    def setUp(self) -> None:
        self.fake = Fake()
        self.addCleanup(self.fake.close)
        patch = mock.patch.dict(os.environ, self.fake.environ())
        patch.start()
        self.addCleanup(patch.stop)
        connection = dagger.connection()
        connection.__enter__()
        self.addCleanup(connection.__exit__)


class Queries(WithSession):
    def ask(self, awaitable):
        return dagger.run_sync(awaitable)

    def test_chain_is_one_request(self) -> None:
        ctr = dag.container().from_("alpine").with_exec(["echo", 'a"b\né'])
        self.assertEqual(
            self.ask(ctr.stdout()),
            'container.from(address="alpine").withExec(args=["echo", "a\\"b\\n\\u00e9"]).stdout',
        )
        self.assertEqual(len(self.fake.queries), 1)
        self.assertIn('{from(address:"alpine"){withExec', self.fake.queries[0])

    def test_defaults_are_not_sent(self) -> None:
        self.ask(
            dag.container()
            .with_exec(["a"], use_entrypoint=False, expect=dagger.ReturnType.SUCCESS, stdin="")
            .with_exec(["b"], use_entrypoint=True, expect=dagger.ReturnType.ANY)
            .stdout()
        )
        self.assertIn('withExec(args:["a"]){', self.fake.queries[0])
        self.assertIn('withExec(args:["b"],useEntrypoint:true,expect:ANY){', self.fake.queries[0])

    def test_objects_travel_as_ids_asked_for_once(self) -> None:
        source = dag.directory().with_new_file("a", "b")
        first = dag.container().with_directory("/x", source)
        self.ask(first.with_directory("/y", source).sync())
        self.assertEqual(len(self.fake.queries), 2)
        self.assertTrue(self.fake.queries[0].endswith("{id}}}"), self.fake.queries[0])
        self.ask(first.stdout())
        self.assertEqual(len(self.fake.queries), 3)

    def test_sync_and_await_give_the_object(self) -> None:
        async def both() -> tuple:
            return await dag.directory(), await dag.directory().sync()

        for directory in self.ask(both()):
            self.assertIsInstance(directory, dagger.Directory)
            self.assertEqual(self.ask(directory.id()), "directory")

    def test_list_of_objects_is_loaded_by_id(self) -> None:
        self.fake.values["container.envVariables"] = [{"id": "e1"}, {"id": "e2"}]
        variables = self.ask(dag.container().env_variables())
        self.assertEqual([type(v).__name__ for v in variables], ["EnvVariable"] * 2)
        self.assertEqual(self.ask(variables[1].name()), "e2.name")
        self.assertIn('{loadEnvVariableFromID(id:"e2"){name}}', self.fake.queries[-1])

    def test_lists_scalars_enums_and_nulls_are_decoded(self) -> None:
        self.fake.values.update(
            {
                "directory.entries": ["a", "b"],
                "container.platform": "linux/arm64",
                'container.envVariable(name="A")': None,
                "typeDef.kind": "STRING_KIND",
                "container.up": None,
            }
        )
        self.assertEqual(self.ask(dag.directory().entries()), ["a", "b"])
        platform = self.ask(dag.container().platform())
        self.assertIsInstance(platform, dagger.Platform)
        self.assertIsNone(self.ask(dag.container().env_variable("A")))
        self.assertIs(self.ask(dag.type_def().kind()), dagger.TypeDefKind.STRING_KIND)
        self.assertIsNone(self.ask(dag.container().up()))

    def test_inputs_and_nested_objects_are_written(self) -> None:
        secret = dag.set_secret("n", "v")
        self.ask(
            dag.directory()
            .docker_build(build_args=[dagger.BuildArg("K", value="V")], secrets=[secret])
            .stdout()
        )
        self.assertIn('buildArgs:[{name:"K",value:"V"}]', self.fake.queries[-1])
        self.assertIn('secrets:["setSecret(', self.fake.queries[-1])

    def test_failed_command_is_an_exec_error(self) -> None:
        self.fake.values["container.stdout"] = Failure(
            'process "x" did not complete successfully: exit code: 3',
            _type="EXEC_ERROR",
            cmd=["x"],
            exitCode=3,
            stdout="out",
            stderr="err",
        )
        with self.assertRaises(dagger.ExecError) as caught:
            self.ask(dag.container().stdout())
        error = caught.exception
        self.assertEqual(
            (error.command, error.exit_code, error.stdout, error.stderr), (["x"], 3, "out", "err")
        )
        self.fake.values["container.stderr"] = Failure("no")
        with self.assertRaisesRegex(dagger.QueryError, "^no$"):
            self.ask(dag.container().stderr())

    def test_event_loop_runs_requests_at_once(self) -> None:
        import threading

        barrier = threading.Barrier(3, timeout=5)
        self.fake.before = lambda query: barrier.wait()

        async def three() -> list[str]:
            containers = [dag.container().with_workdir(f"/{n}") for n in range(3)]
            return await asyncio.gather(*(c.workdir() for c in containers))

        answers = asyncio.run(three())
        self.assertEqual(answers[2], 'container.withWorkdir(path="/2").workdir')
        self.fake.before = lambda query: None

        async def again() -> None:
            for _ in range(5):
                await dag.container().workdir()

        before = self.fake.connections
        asyncio.run(again())
        self.assertEqual(self.fake.connections - before, 0, "connections are kept")

    def test_connection_closed_by_the_engine_is_replaced(self) -> None:
        self.ask(dag.container().workdir())
        session = dag._session()
        self.assertEqual(len(session._idle), 1)
        session._idle[0].shutdown(2)
        self.assertEqual(self.ask(dag.container().workdir()), "container.workdir")

    def test_type_of_another_module_is_learnt_from_the_session(self) -> None:
        text = {"kind": "NON_NULL", "name": None, "ofType": {"kind": "SCALAR", "name": "String"}}
        gradle = {"kind": "NON_NULL", "name": None, "ofType": {"kind": "OBJECT", "name": "Gradle"}}
        container = {"kind": "OBJECT", "name": "Container"}
        lines = {"kind": "LIST", "name": None, "ofType": text}

        def answer(query: str):
            if '"Query"' in query:
                fields = [
                    {
                        "name": "gradle",
                        "args": [{"name": "jdkVersion", "type": text}],
                        "type": gradle,
                    }
                ]
            else:
                task = [{"name": "task", "type": text, "defaultValue": '"build"'}]
                fields = [
                    {"name": "build", "args": task, "type": container},
                    {"name": "taskNames", "args": [], "type": lines},
                ]
            return {"fields": fields}

        original = self.fake.answer
        self.fake.answer = lambda q: {"__type": answer(q)} if "__type" in q else original(q)
        self.fake.values["*.taskNames"] = ["a"]
        built = dagger.gradle("17").build(task="test")
        self.assertIsInstance(built, dagger.Container)
        self.assertEqual(
            self.ask(built.stdout()), 'gradle(jdkVersion="17").build(task="test").stdout'
        )
        self.assertEqual(self.ask(dag.gradle(jdk_version="8").task_names()), ["a"])
        with self.assertRaisesRegex(
            AttributeError, "`Gradle` has no function `buld`; did you mean `build`"
        ):
            dag.gradle("17").buld()
        with self.assertRaisesRegex(TypeError, "misses jdk_version"):
            dag.gradle()
        self.assertTrue(issubclass(dagger.Gradle, dagger.Type))

    def test_object_is_loaded_by_id(self) -> None:
        file = dag.load_file_from_id("f1")
        self.assertIsInstance(file, dagger.File)
        self.assertEqual(self.ask(file.contents()), "f1.contents")

    def test_with_applies_a_function(self) -> None:
        ctr = dag.container().with_(lambda c: c.with_workdir("/a"))
        self.assertEqual(self.ask(ctr.workdir()), 'container.withWorkdir(path="/a").workdir')

    def test_value_that_cannot_be_sent_is_refused(self) -> None:
        for value in (object(), float("nan")):
            with self.assertRaises(dagger.InvalidQueryError):
                literal(value)
        pending = dag.container().stdout()
        with self.assertRaisesRegex(dagger.InvalidQueryError, "await"):
            self.ask(dag.container().with_workdir(pending).stdout())
        pending.close()


class Connections(unittest.TestCase):
    def test_without_session_the_way_out_is_told(self) -> None:
        with (
            mock.patch.dict(os.environ, clear=True),
            self.assertRaisesRegex(dagger.ClientConnectionError, "nsci run"),
        ):
            dagger.run_sync(dag.container().stdout())

    def test_unknown_name_is_no_attribute_without_a_session(self) -> None:
        with mock.patch.dict(os.environ, clear=True):
            self.assertFalse(hasattr(dagger, "pytest_plugins"))

    def test_wrong_token_is_refused(self) -> None:
        fake = Fake()
        self.addCleanup(fake.close)
        environ = {**fake.environ(), "DAGGER_SESSION_TOKEN": "wrong"}
        refused = self.assertRaisesRegex(dagger.ClientConnectionError, "token")
        with mock.patch.dict(os.environ, environ), dagger.Connection() as client, refused:
            dagger.run_sync(client.container().stdout())

    def test_engine_is_started_and_ended(self) -> None:
        fake = Fake()
        self.addCleanup(fake.close)
        with tempfile.TemporaryDirectory() as directory:
            program, log = os.path.join(directory, "cli"), os.path.join(directory, "log")
            with open(program, "w", encoding="utf-8") as file:
                file.write(
                    textwrap.dedent(f"""\
                    #!{sys.executable}
                    import sys
                    print('{{"port":{fake.port},"session_token":"s3cret"}}', flush=True)
                    print("working", file=sys.stderr, flush=True)
                    sys.stdin.read()
                    open({log!r}, "w").write(" ".join(sys.argv[1:]))
                    """)
                )
            os.chmod(program, 0o755)
            environ = {**os.environ, "_EXPERIMENTAL_DAGGER_CLI_BIN": program}
            environ.pop("DAGGER_SESSION_PORT", None)

            async def main() -> str:
                async with dagger.Connection(dagger.Config(workdir=directory)) as client:
                    return await client.container().workdir()

            with mock.patch.dict(os.environ, environ, clear=True):
                self.assertEqual(asyncio.run(main()), "container.workdir")
            with open(log, encoding="utf-8") as file:
                self.assertEqual(
                    file.read(), f"session --label dagger.io/sdk.name:python --workdir {directory}"
                )

    def test_missing_engine_is_named(self) -> None:
        environ = {"NSCI_CLI_BIN": "/nowhere/nsci", "PATH": ""}
        with (
            mock.patch.dict(os.environ, environ, clear=True),
            self.assertRaisesRegex(dagger.ProvisionError, "/nowhere/nsci"),
        ):
            dagger.Connection().__enter__()


if __name__ == "__main__":
    unittest.main()
