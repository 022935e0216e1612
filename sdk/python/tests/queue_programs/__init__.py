"""Small applications of each queue, run by the tests as processes of their own."""

from accounts import keep_account

keep_account()
