"""Programs whose causes of compilation are known, and how often jitscope and the frameworks name them."""
