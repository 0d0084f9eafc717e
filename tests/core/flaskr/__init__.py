"""The blog of Flask's tutorial, written twice: for Flask, and ported to Segue with the guide in hand."""
