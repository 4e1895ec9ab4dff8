module belfry.test/stage

go 1.21
