@NullMarked
package dev.outbox.spring.modulith;

import org.jspecify.annotations.NullMarked;
