print("wsm")
