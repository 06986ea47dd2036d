package main

import "testing"

func TestWords(t *testing.T) {
	if got := Words(" two  words\n"); got != 2 {
		t.Errorf("got %d words, want 2", got)
	}
}
