"""Networks: models, losses, training, prediction. Importing this package registers them."""
