module preview

go 1.21

require dagger.io/dagger v0.0.0

replace dagger.io/dagger => ../../sdk/go
