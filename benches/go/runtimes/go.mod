module gosched.example/runtimes

go 1.24
