from __future__ import annotations

import importlib.util
import json
import os
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def generator():
    path = os.path.join(HERE, "tools", "generate.py")
    spec = importlib.util.spec_from_file_location("generate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Generating(unittest.TestCase):
    def test_client_in_the_repository_is_that_of_the_schema(self) -> None:
        with open(os.path.join(HERE, "..", "schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        source = generator().Generator(schema.get("data", schema)["__schema"]).source()
        with open(os.path.join(HERE, "src/dagger/client/gen.py"), encoding="utf-8") as file:
            self.assertEqual(source, file.read(), "run tools/generate.py")

    def test_names_are_pythons(self) -> None:
        for api, python in (
            ("withExec", "with_exec"),
            ("from", "from_"),
            ("import", "import_"),
            ("list", "list_"),
            ("asJSON", "as_json"),
            ("commitSHA", "commit_sha"),
            ("experimentalWithAllGPUs", "experimental_with_all_gp_us"),
            ("insecureSkipTLSVerify", "insecure_skip_tls_verify"),
        ):
            self.assertEqual(generator().snake(api), python)

    def test_ids_of_older_schemas_are_objects_too(self) -> None:
        def not_null(kind: str, name: str) -> dict:
            return {"kind": "NON_NULL", "name": None, "ofType": {"kind": kind, "name": name}}

        arg = {"name": "other", "type": not_null("SCALAR", "DirectoryID"), "defaultValue": None}
        sync = {"name": "sync", "args": [], "type": not_null("SCALAR", "DirectoryID")}
        diff = {"name": "diff", "args": [arg], "type": not_null("OBJECT", "Directory")}
        diff["description"] = 'Says "so"'
        types = [
            {"kind": "OBJECT", "name": "Directory", "fields": [sync, diff]},
            {"kind": "OBJECT", "name": "Query", "fields": []},
            {"kind": "SCALAR", "name": "DirectoryID"},
        ]
        source = generator().Generator({"types": types}).source()
        compile(source, "gen.py", "exec")
        self.assertIn("def diff(self, other: Directory) -> Directory:", source)
        self.assertIn("async def sync(self) -> Directory:", source)
        self.assertNotIn("class DirectoryID", source)


if __name__ == "__main__":
    unittest.main()
