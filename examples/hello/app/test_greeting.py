import unittest

from greeting.cli import greeting


class Greeting(unittest.TestCase):
    def test_nobody_means_everybody(self) -> None:
        self.assertEqual(greeting([]), "Hello, world!")

    def test_people_are_joined(self) -> None:
        self.assertEqual(greeting(["Ann", "Bob"]), "Hello, Ann and Bob!")
