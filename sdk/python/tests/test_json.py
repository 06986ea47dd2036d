from __future__ import annotations

import json
import unittest

from dagger import _json


class Json(unittest.TestCase):
    def test_values_are_written_and_read_as_the_package_does(self) -> None:
        for value in (
            None,
            True,
            [1, -2.5, 1e300, 10**20, 'a"b\\c\n\t\x00\x7f é 🎉'],
            {"a": {"b": []}, "": {}},
            "\ud800",
        ):
            written = _json.dumps(value)
            self.assertEqual(json.loads(written), value)
            self.assertEqual(_json.loads(f" {json.dumps(value, indent=1)}\n"), value)

    def test_what_is_not_json_is_refused(self) -> None:
        for text in ("", "{", "[1,]", "nope", "1 2", '"a'):
            with self.subTest(text), self.assertRaises(ValueError):
                _json.loads(text)
        for value in (float("nan"), float("inf")):
            with self.assertRaises(ValueError):
                _json.dumps(value)
        with self.assertRaises(TypeError):
            _json.dumps(object())


if __name__ == "__main__":
    unittest.main()
