/** An application of Spring Modulith: its packages are application modules. */
package com.example.shop;
