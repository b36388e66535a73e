package com.example.shop;

record OrderPlaced(String number, String customer) {}
