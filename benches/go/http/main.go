// Go's part of the comparison of servers: net/http answers every request with "hello". It is built
// and run by the program http-peers:
//
//	http ADDRESS
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: http ADDRESS")
		os.Exit(2)
	}
	hello := func(answer http.ResponseWriter, _ *http.Request) { io.WriteString(answer, "hello") }
	err := http.ListenAndServe(os.Args[1], http.HandlerFunc(hello))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
