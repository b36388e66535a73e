package dev.outbox.tck;

import dev.outbox.tck.internal.spec.Level;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The level at which the tests of an interface put their rules to the test. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface AtLevel {
    Level value();
}
