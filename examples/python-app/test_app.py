import unittest

from app import greet


class Greeting(unittest.TestCase):
    def test_name_is_greeted(self) -> None:
        self.assertEqual(greet("you"), "hello, you")
