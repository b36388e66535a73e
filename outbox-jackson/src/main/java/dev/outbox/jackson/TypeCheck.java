package dev.outbox.jackson;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.AbstractDeserializer;
import com.fasterxml.jackson.databind.deser.BeanDeserializerBase;
import com.fasterxml.jackson.databind.deser.DefaultDeserializationContext;
import com.fasterxml.jackson.databind.deser.SettableBeanProperty;
import com.fasterxml.jackson.databind.deser.impl.TypeWrappedDeserializer;
import com.fasterxml.jackson.databind.deser.impl.UnsupportedTypeDeserializer;
import com.fasterxml.jackson.databind.deser.std.ContainerDeserializerBase;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.util.ClassUtil;
import dev.outbox.ConfigurationException;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds what Jackson would write and never read. Jackson says so only of a message that is there to be read, which is
 * too late. Walks through the deserializers it has made for a type, those of properties and elements included.
 */
final class TypeCheck {
    private static final int ENOUGH = 1_000;

    private final ObjectMapper mapper;
    private final DeserializationContext context;
    private final Set<JavaType> seen = new HashSet<>();

    private TypeCheck(ObjectMapper mapper) {
        this.mapper = mapper;
        this.context = ((DefaultDeserializationContext) mapper.getDeserializationContext())
                .createDummyInstance(mapper.getDeserializationConfig());
    }

    /** Throws {@link ConfigurationException} if messages of a type can never be read. */
    static void check(ObjectMapper mapper, JavaType type) {
        try {
            new TypeCheck(mapper).root(type, "");
        } catch (JsonMappingException | IllegalArgumentException e) {
            throw refused(type, "", String.valueOf(e.getMessage()), e);
        }
    }

    private void root(JavaType type, String path) throws JsonMappingException {
        JsonDeserializer<?> deserializer = context.findRootValueDeserializer(type);
        if (deserializer instanceof TypeWrappedDeserializer) {
            subtypes(type, path);
        } else if (type.isContainerType() || seen.add(type)) {
            value(type, deserializer, path);
        }
    }

    /** What a type id may lead to. */
    private void subtypes(JavaType type, String path) throws JsonMappingException {
        for (NamedType subtype : mapper.getSubtypeResolver()
                .collectAndResolveSubtypesByClass(
                        mapper.getDeserializationConfig(), describe(type).getClassInfo())) {
            JavaType concrete = mapper.constructType(subtype.getType());
            if (!concrete.isAbstract() && seen.add(concrete)) {
                value(concrete, context.findNonContextualValueDeserializer(concrete), path);
            }
        }
    }

    private void value(JavaType type, @Nullable JsonDeserializer<?> deserializer, String path)
            throws JsonMappingException {
        if (deserializer instanceof AbstractDeserializer) {
            throw refused(
                    type,
                    path,
                    "it is abstract, and nothing says of which class a value is: use a concrete type, or annotate it with"
                            + " @JsonTypeInfo and @JsonSubTypes",
                    null);
        }
        if (deserializer instanceof UnsupportedTypeDeserializer) {
            throw refused(type, path, "Jackson reads it only with a module of its own", null);
        }
        if (deserializer instanceof BeanDeserializerBase bean) {
            bean(type, bean, path);
        } else if (deserializer != null && seen.size() < ENOUGH) {
            JsonDeserializer<?> content = deserializer instanceof ContainerDeserializerBase<?> container
                    ? container.getContentDeserializer()
                    : null;
            if (content != null && type.getContentType() != null && seen.add(type)) {
                element(type.getContentType(), content, path + "[]");
            }
        }
    }

    private void element(JavaType type, JsonDeserializer<?> deserializer, String path) throws JsonMappingException {
        if (type.getTypeHandler() == null && context.getConfig().findTypeDeserializer(type) == null) {
            value(type, deserializer, path);
        } else {
            subtypes(type, path);
        }
    }

    private void bean(JavaType type, BeanDeserializerBase bean, String path) throws JsonMappingException {
        if (!bean.getValueInstantiator().canInstantiate()) {
            throw refused(type, path, whyNot(type.getRawClass()), null);
        }
        if (loses(type)) {
            throw refused(
                    type,
                    path,
                    "it has fields, and none of them is written: give it getters, or annotate the fields with"
                            + " @JsonProperty",
                    null);
        }
        for (Iterator<SettableBeanProperty> i = bean.properties(); i.hasNext(); ) {
            SettableBeanProperty property = i.next();
            String where = path.isEmpty() ? property.getName() : path + "." + property.getName();
            JavaType of = property.getType();
            if (!property.hasValueDeserializer() || seen.size() >= ENOUGH) {
                continue;
            }
            if (property.hasValueTypeDeserializer()) {
                subtypes(of, where);
            } else if (of.isContainerType() || seen.add(of)) {
                value(of, property.getValueDeserializer(), where);
            }
        }
    }

    private static String whyNot(Class<?> type) {
        if (ClassUtil.isNonStaticInnerClass(type)) {
            return "it is an inner class: make it static";
        }
        return "it has no constructor that Jackson can call: make it a record, give it one without parameters, or annotate one"
                + " with @JsonCreator and its parameters with @JsonProperty";
    }

    /** Whether a bean has state of which nothing is written. */
    private boolean loses(JavaType type) {
        BeanDescription described = mapper.getSerializationConfig().introspect(type);
        return described.findJsonValueAccessor() == null
                && described.findAnyGetter() == null
                && described.findProperties().stream().noneMatch(BeanPropertyDefinition::couldSerialize)
                && Arrays.stream(type.getRawClass().getDeclaredFields())
                        .anyMatch(f -> !f.isSynthetic()
                                && (f.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0
                                && !described.getIgnoredPropertyNames().contains(f.getName()));
    }

    private BeanDescription describe(JavaType type) {
        return mapper.getDeserializationConfig().introspect(type);
    }

    private static ConfigurationException refused(JavaType type, String path, String why, @Nullable Throwable cause) {
        return new ConfigurationException(
                "Messages of this type would be written and never read: "
                        + (path.isEmpty() ? "" : "at '" + path + "', ") + type.toCanonical() + ": " + why
                        + ". Or give the topic a codec of its own, as JacksonCodecs.json(mapper, type).",
                cause);
    }
}
