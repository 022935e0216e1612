"""Small applications of each queue, run by the tests as processes of their own."""
