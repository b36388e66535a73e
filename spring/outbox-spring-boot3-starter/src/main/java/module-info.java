import org.jspecify.annotations.NullMarked;

/** The starter for Spring Boot 3.5: what is not in the same place in all generations of Spring Boot. */
@NullMarked
@SuppressWarnings("module") // the digit is that of Spring Boot
module dev.outbox.spring.boot3 {
    opens dev.outbox.spring.boot3;

    requires transitive dev.outbox.spring.boot;
    requires spring.boot.autoconfigure;
    requires spring.context;
    requires static spring.boot.actuator;
    requires static spring.boot.actuator.autoconfigure;
    requires static transitive org.jspecify;
}
