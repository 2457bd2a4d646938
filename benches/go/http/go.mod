module gosched.example/http

go 1.24
