module dagger.io/dagger

go 1.21
