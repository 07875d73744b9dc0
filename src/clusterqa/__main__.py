from clusterqa.cli import main

main()
