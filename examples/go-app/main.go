// Command app counts words.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(Words(string(text)))
}

// Words counts the words of a text.
func Words(text string) int {
	return len(strings.Fields(text))
}
